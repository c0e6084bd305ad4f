/** What an authorization header carries: RFC 6750, 2.1, the scheme in any case (RFC 9110, 11.1); or the bare text. */
export function bearer(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  const space = value.indexOf(' ');
  if (space < 0) return value;
  return value.slice(0, space).toLowerCase() === 'bearer' ? value.slice(space + 1).trim() || undefined : undefined;
}
