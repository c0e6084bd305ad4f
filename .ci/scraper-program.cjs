// The program of the picker's scraper thread as one text: whoever bundles the picker defines it, as `process.env.SCRAPER_PROGRAM`.
const { join } = require('node:path');
const { buildSync } = require('esbuild');

/** How every program is bundled: one CommonJS file, whose names are kept so that a stack trace can be read. */
exports.programOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  minifySyntax: true,
  minifyWhitespace: true,
};

/** @param {string} root of the checkout @returns {Record<string, string>} for `define` of esbuild */
exports.scraperProgram = (root) => {
  const { outputFiles } = buildSync({
    entryPoints: [join(root, 'src/picker/metrics-scraper/scraper-main.ts')],
    ...exports.programOptions,
    write: false,
  });
  return { 'process.env.SCRAPER_PROGRAM': JSON.stringify(outputFiles[0].text) };
};
