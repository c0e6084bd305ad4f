/**
 * Which models a client may use: those of its own list and those of its tenant's. Names are those of models, aliases or adapters; an
 * alias stands for its model. Other models are to the client as if they did not exist. Needs `identity`.
 */
export interface ModelAccess {
  /** Models of a client, by its verified name. @default - none */
  readonly clients?: { readonly [client: string]: string[] };
  /** Models of a tenant, by its verified name. Needs an identity that names tenants. @default - none */
  readonly tenants?: { readonly [tenant: string]: string[] };
  /** Models of clients that neither list names. @default - none */
  readonly others?: string[];
}
