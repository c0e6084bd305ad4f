/** For `define` of esbuild. */
export function scraperProgram(): Record<string, string>;
