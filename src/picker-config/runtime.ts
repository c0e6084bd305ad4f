/**
 * Variables that the picker's process is started with, in the image as in a stock Node image. What the picker keeps is small or in typed
 * arrays, so its heap needs little room for the young, and one arena of glibc's is enough for one busy thread. They take no measurable time.
 */
export const PICKER_RUNTIME_VARIABLES: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  NODE_OPTIONS: '--max-semi-space-size=2',
};
