/** Cross-origin rules, for browsers that call the API directly. */
export interface CorsOptions {
  /** Origins such as `https://chat.example.com`, or `*`. */
  readonly allowOrigins: string[];
  /** @default ['GET', 'POST', 'OPTIONS'] */
  readonly allowMethods?: string[];
  /** @default ['authorization', 'content-type'] */
  readonly allowHeaders?: string[];
  /** @default - none */
  readonly exposeHeaders?: string[];
  /** @default false */
  readonly allowCredentials?: boolean;
  /** How long a browser may keep the answer, in seconds. @default 600 */
  readonly maxAgeSeconds?: number;
}
