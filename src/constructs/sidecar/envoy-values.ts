/** A `typed_config` of Envoy: the message's type without its common prefix, and its fields. */
export function typed(type: string, fields: { readonly [field: string]: unknown } = {}): { [field: string]: unknown } {
  return { '@type': `type.googleapis.com/${type}`, ...fields };
}

export function socketAddress(address: string, port: number): { [field: string]: unknown } {
  return { socket_address: { address, port_value: port } };
}

/** An endpoint of a load assignment. */
export function endpoint(address: string, port: number): { [field: string]: unknown } {
  return { endpoint: { address: socketAddress(address, port) } };
}
