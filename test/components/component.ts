/** A real program that tests run against, and the ways to get it. */
export interface Component {
  /** What tests ask for; also the stem of the cache folder. */
  readonly name: string;
  /** Exact version tested against. Undefined: whatever the system has. */
  readonly version?: string;
  /** Environment variable that holds the path of the program. Wins over everything else. */
  readonly variable: string;
  /** The program's path inside the cache folder `<name>-<version>/`. */
  readonly program: string;
  /** Name to look for on `PATH`, where a system package is as good as ours. */
  readonly onPath?: string;
  /** Fills an empty folder so that `program` exists in it. Undefined: no registry serves it ready to run. */
  readonly install?: (folder: string) => void;
  /** Installing takes minutes: only on `AIG_INSTALL=1`, never because `CI=true`. */
  readonly slowInstall?: boolean;
  /** One sentence for whoever lacks it: where it comes from. */
  readonly source: string;
}
