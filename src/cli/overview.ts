import { ApiObject, type App, type Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { warningsBelow, whyOf } from '../constructs/internal/emit';
import { formatFinding, type ManifestDocument, validateManifests } from '../validation';

/** What an app makes, and what is wrong with it. */
export interface Overview {
  /** Lines for a person: charts, constructs, their objects and why each is there. */
  readonly text: string;
  readonly objectCount: number;
  /** One line each; empty when all is well. */
  readonly findings: readonly string[];
}

/** Explains a synthesized app: each object below the construct that made it, with its reason, then what was checked. */
export function overview(app: App): Overview {
  const charts = app.charts as Chart[];
  const objects = charts.flatMap((chart) => objectsBelow(chart));
  const documents: ManifestDocument[] = objects.map((object) => ({ value: object.toJson() }));
  const findings = validateManifests(documents, { unknownKinds: 'error' })
    .filter(({ severity }) => severity !== 'hint')
    .map(formatFinding);
  const lines = charts.flatMap((chart) => [
    `${chart.node.path}${chart.namespace === undefined ? '' : ` (namespace ${chart.namespace})`}`,
    ...branch(chart, ''),
  ]);
  const warnings = warningsBelow(app).map(({ path, message }) => `  ${path}: ${message}`);
  return {
    objectCount: objects.length,
    findings,
    text: [
      ...lines,
      '',
      ...(warnings.length === 0 ? [] : ['To know:', ...warnings, '']),
      `Checked: ${objects.length} objects of ${new Set(objects.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).size} kinds against`,
      '  their schemas as an API server does (unknown fields, types, defaults, formats, names, labels),',
      '  the CEL rules of their CRDs, and the rules of this library (names, references, capacity, limits, attach mode)',
      findings.length === 0
        ? 'No findings.'
        : `${findings.length} findings:\n${findings.map((finding) => `  ${finding}`).join('\n')}`,
    ].join('\n'),
  };
}

function objectsBelow(chart: Chart): ApiObject[] {
  return chart.node.findAll().filter((construct): construct is ApiObject => ApiObject.isApiObject(construct));
}

/** The constructs below `parent` that made something, as a tree. */
function branch(parent: IConstruct, indent: string): string[] {
  const children = parent.node.children.filter(
    (child) => ApiObject.isApiObject(child) || child.node.findAll().some((below) => ApiObject.isApiObject(below)),
  );
  return children.flatMap((child, index) => {
    const last = index === children.length - 1;
    const own = `${indent}${last ? '└─ ' : '├─ '}`;
    const next = `${indent}${last ? '   ' : '│  '}`;
    if (!ApiObject.isApiObject(child)) return [`${own}${child.node.id}`, ...branch(child, next)];
    const why = whyOf(child);
    return [`${own}${child.kind} ${child.name}${why === undefined ? '' : `: ${why}`}`];
  });
}
