/** For `define` of esbuild. */
export function scraperProgram(root: string): Record<string, string>;
