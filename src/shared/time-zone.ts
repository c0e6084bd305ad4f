/** What `isTimeZone` allows, for errors. */
export const TIME_ZONE_WORDS = 'UTC, or a name of the IANA time zone database, as Europe/Berlin';

/** Whether this is a name of the IANA time zone database that this program knows. An offset is none: it has no summer. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
