/** Cross-origin rules, for browsers that call the API directly. */
export interface CorsOptions {
  /** Origins such as `https://chat.example.com`, or `*`. */
  readonly allowOrigins: string[];
  /** Methods that a page may use. @default ['GET', 'POST', 'OPTIONS'] */
  readonly allowMethods?: string[];
  /** Request headers that a page may set. @default ['authorization', 'content-type'] */
  readonly allowHeaders?: string[];
  /** Answer headers that a page may read. @default - none */
  readonly exposeHeaders?: string[];
  /** Whether browsers may send credentials. @default false */
  readonly allowCredentials?: boolean;
  /** How long a browser may keep the answer, in seconds. @default 600 */
  readonly maxAgeSeconds?: number;
}
