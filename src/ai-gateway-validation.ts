import type { Finding, ValidationOptions } from './validation';

/** `properties` of the entry in cdk8s.yaml. */
export interface AiGatewayValidationProps extends Omit<ValidationOptions, 'old'> {
  /** The least severity that fails `cdk8s synth`. @default 'error' */
  readonly failOn?: 'error' | 'warning' | 'hint';
}

/** What cdk8s gives a validation plugin, as far as it is used here. */
export interface ValidationPluginContext {
  /** Paths of the manifests that were synthesized. */
  readonly manifests: readonly string[];
  readonly report: {
    addViolation(violation: {
      ruleName: string;
      recommendation: string;
      fix: string;
      violatingResources: { resourceName: string; locations: string[]; manifestPath: string }[];
    }): void;
    submit(status: 'success' | 'failure', metadata?: { [key: string]: string }): void;
  };
}

const RANK = { error: 0, warning: 1, hint: 2 } as const;

/**
 * Validation plugin of cdk8s: checks all manifests of an app together after every `cdk8s synth`.
 *
 *     validations:
 *       - { package: ./node_modules/cdk8s-ai-gateway, version: 0.0.0, class: AiGatewayValidation, properties: { failOn: error } }
 *
 * A relative path is loaded as it is, without a second installation; the version is then not looked at.
 */
export class AiGatewayValidation {
  public constructor(private readonly props: AiGatewayValidationProps = {}) {}

  /** @throws RangeError for a version or a rule that does not exist */
  public async validate(context: ValidationPluginContext): Promise<void> {
    // ajv and CEL are loaded for a validation only, not for every import of the library.
    const { validateManifests } = require('./validation') as typeof import('./validation');
    const { failOn = 'error', ...options } = this.props;
    const findings = validateManifests(context.manifests, options);
    const shown = findings.filter(({ severity }) => RANK[severity] <= Math.max(RANK[failOn], RANK.warning));
    for (const finding of shown) context.report.addViolation(violation(finding));
    const isFailure = findings.some(({ severity }) => RANK[severity] <= RANK[failOn]);
    const count = (severity: keyof typeof RANK): string =>
      String(findings.filter((finding) => finding.severity === severity).length);
    context.report.submit(isFailure ? 'failure' : 'success', {
      errors: count('error'),
      warnings: count('warning'),
      hints: count('hint'),
    });
  }
}

// cdk8s finds constructs by the name of an object alone, and so the wrong one where a Service and a Deployment share it. The place of a
// finding therefore begins with the path that the object itself carries.
function violation(finding: Finding): Parameters<ValidationPluginContext['report']['addViolation']>[0] {
  const { code, severity, what, value, allowed, fix, object, field, file, line, column, constructPath } = finding;
  const facts = [
    value === undefined ? [] : [`got ${JSON.stringify(value)}`],
    allowed === undefined ? [] : [`allowed: ${allowed}`],
  ].flat();
  const made = constructPath === undefined ? [] : [`made by ${constructPath}`];
  const place = line === undefined ? [] : [`line ${line}, column ${column ?? 1}`];
  return {
    ruleName: `${code} (${severity})`,
    recommendation: `${what}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`,
    fix,
    violatingResources: [
      {
        resourceName: object === undefined ? '' : `${object.kind}/${object.name}`,
        locations: [...made, ...(field === undefined ? [] : [field]), ...place],
        manifestPath: file ?? '',
      },
    ],
  };
}
