import { PodWatches } from './pod-watches';
import type { WatchHost } from './watch-host';

/** What all sources of one picker share: one client, and one watch for each set of pods. */
export class KubeSources {
  public readonly pods: PodWatches;

  public constructor(public readonly host: WatchHost) {
    this.pods = new PodWatches(host);
  }
}
