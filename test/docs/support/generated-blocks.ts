import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EXPLAIN_USAGE } from '../../../src/cli/explain/options';
import { UP_USAGE } from '../../../src/cli/up/options';
import { USAGE as VALIDATE_USAGE } from '../../../src/cli/validate/options';
import type { CapabilityTable } from '../../../src/implementations/capabilities';
import { ENVOY_GATEWAY } from '../../../src/implementations/envoy-gateway/capabilities';
import { genericCapabilities } from '../../../src/implementations/generic/capabilities';
import { ISTIO } from '../../../src/implementations/istio/capabilities';
import { KONG } from '../../../src/implementations/kong/capabilities';
import { CONTROL_HEADERS } from '../../../src/shared/control-headers';
import { ROOT } from './pages';
import { pickerStatus, pluginRows } from './picker-status';
import { propertiesOf, publicExports } from './public-api';

const GATEWAYS: { readonly [name: string]: CapabilityTable } = {
  'envoy-gateway': ENVOY_GATEWAY,
  istio: ISTIO,
  kong: KONG,
  generic: genericCapabilities('your-class', true),
};

/** Languages of files that pages show. */
const FENCES: { readonly [ending: string]: string } = { '.json': 'json', '.yaml': 'yaml', '.txt': 'text' };

const BLOCK = /^(<!-- generated: ([^>]*?) -->\n)([\s\S]*?)^(<!-- end -->)$/gm;

/** The page with every block between `<!-- generated: kind argument -->` and `<!-- end -->` made anew. */
export function withGeneratedBlocks(text: string): string {
  return text.replace(BLOCK, (_whole, head: string, what: string, _old, tail: string) => `${head}${generated(what)}\n${tail}`);
}

function generated(what: string): string {
  const [kind, argument = ''] = what.trim().split(' ');
  switch (kind) {
    case 'props':
      return propertyTable(argument);
    case 'plugins':
      return table(['Type', 'Kind', 'This picker'], pluginRows());
    case 'capabilities':
      return capabilityTable(gateway(argument));
    case 'attach':
      return attachTable(gateway(argument));
    case 'gateways':
      return gatewaysTable();
    case 'control-headers':
      return CONTROL_HEADERS.map((header) => `- \`${header}\``).join('\n');
    case 'picker-status':
      return pickerStatus();
    case 'rules':
      return rulesTable();
    case 'api':
      return apiTable();
    case 'file':
      return `\`\`\`${FENCES[path.extname(argument)] ?? 'text'}\n${readFileSync(path.join(ROOT, argument), 'utf8')}\`\`\``;
    case 'usage':
      return `\`\`\`text\n${usageOf(argument)}\`\`\``;
    default:
      throw new Error(`no block is called '${what}'`);
  }
}

/** What `cdk8s-ai-gateway COMMAND --help` prints. */
function usageOf(command: string): string {
  const usage = { explain: EXPLAIN_USAGE, up: UP_USAGE, validate: VALIDATE_USAGE }[command];
  if (usage === undefined) throw new Error(`no command is called '${command}'`);
  return usage;
}

function gateway(name: string): CapabilityTable {
  const table = GATEWAYS[name];
  if (table === undefined) throw new Error(`no gateway is called '${name}'`);
  return table;
}

function propertyTable(name: string): string {
  const declaration = publicExports().find((known) => known.name === name);
  if (declaration === undefined) throw new Error(`${name} is not exported`);
  const rows = propertiesOf(declaration).map(({ name, type, isOptional, doc, defaultText }) => [
    `\`${name}\``,
    `\`${type}\``,
    isOptional ? shownDefault(defaultText) : 'required',
    doc,
  ]);
  return table(['Property', 'Type', 'Default', 'What it is'], rows);
}

/** A literal as code, with what is said behind it; a behaviour as text. */
function shownDefault(text: string | undefined): string {
  if (text === undefined) return '';
  if (text.startsWith('- ')) return text.slice(2);
  const [literal, ...rest] = text.split('; ');
  return [`\`${literal}\``, ...rest].join('; ');
}

function capabilityTable({ features }: CapabilityTable): string {
  const rows = Object.entries(features).map(([name, { supported, evidence, note }]) => [
    name,
    supported ? 'yes' : 'no',
    note ?? '',
    evidence,
  ]);
  return table(['Feature', 'Works', 'Note', 'Known from'], rows);
}

function attachTable({ attachModes, attachNotes }: CapabilityTable): string {
  const works = attachModes.map(({ name }, rank) => [name, rank === 0 ? 'default for one pool' : 'default for several pools']);
  if (works.length === 1) works[0]![1] = 'always';
  const missing = Object.entries(attachNotes).map(([name, note]) => [name, `refused (AIG461): ${note}`]);
  return table(['Mode', 'Used'], [...works, ...missing]);
}

function gatewaysTable(): string {
  const rows = Object.entries(GATEWAYS).map(([name, { displayName, version, attachModes, attachNotes, features }]) => {
    const modes = attachModes.map((mode) => mode.name);
    const isSidecarOnly = modes.join() === 'sidecar';
    const hasCors = features['cors-filter'].supported || features['cors-object'].supported;
    const refused = [
      ...Object.keys(attachNotes).map((mode) => `${mode} mode`),
      features['fail-open'].supported ? 'fail-open outside of pool mode' : 'fail-open',
      ...(isSidecarOnly || features['weighted-pools'].supported ? [] : ['weights between pools outside of sidecar mode']),
      ...(hasCors ? [] : ['CORS']),
      ...(modes.includes('pool') && !features['cors-with-pool'].supported ? ['CORS in pool mode'] : []),
    ];
    const title = name === 'generic' ? 'any other' : displayName;
    return [`[${title}](docs/gateways/${name}.md), ${version}`, `\`${modes[0]}\``, '`sidecar`', refused.join('; ')];
  });
  return table(['Gateway', 'One pool', 'Several pools', 'Refused, with the reason'], rows);
}

/** Each code of validation has a page, whose heading is `AIG040: What must hold`. */
function rulesTable(): string {
  const files = readdirSync(path.join(ROOT, 'docs/rules')).filter((name) => /^AIG\d{3}\.md$/.test(name));
  const rows = files.sort().map((name) => {
    const [, title = ''] = /^# AIG\d{3}: (.*)$/m.exec(readFileSync(path.join(ROOT, 'docs/rules', name), 'utf8')) ?? [];
    return [name.replace('.md', ''), title, `[example](rules/${name})`];
  });
  return table(['Code', 'What must hold', 'Page'], rows);
}

function apiTable(): string {
  const rows = [...publicExports()]
    .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1))
    .map(({ name, doc }) => [`\`${name}\``, firstSentence(doc)]);
  return table(['Export', 'What it is'], rows);
}

function firstSentence(text: string): string {
  return text.replace(/\{@link ([\w.]+)\}/g, '$1').replace(/^(.*?\.)( .*)?$/s, '$1');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replace(/\{@link ([\w.]+)\}/g, '`$1`').replace(/\|/g, '\\|')).join(' | ')} |`; // prettier-ignore
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
