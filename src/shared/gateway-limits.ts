/** Namespace of the dynamic metadata that a picker writes: the one of the endpoint picker protocol, which gateways let it write. */
export const PICKER_METADATA = 'envoy.lb';

/**
 * Name of the request header with what a limit of the gateway counts a request by, and of the metadata with the tokens that it used. The
 * prefix is one whose headers the picker removes from every client.
 */
export function gatewayLimitName(limitName: string): string {
  return `x-aig-limit-${limitName}`;
}
