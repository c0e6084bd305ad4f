import { pathToFileURL } from 'node:url';
import { type Finding, formatIdentity } from '../../validation';
import { titleOf } from './pages';
import { facts, type Report } from './report';

const LEVELS = { error: 'error', warning: 'warning', hint: 'note' } as const;

/** SARIF 2.1.0 (OASIS), which code scanning of forges reads. */
export function formatSarif({ findings, unreadable }: Report): string {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  return `${JSON.stringify(
    {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              name: 'cdk8s-ai-gateway',
              version: process.env['PACKAGE_VERSION'] ?? '0.0.0',
              rules: codes.map((code) => ({ id: code, shortDescription: { text: titleOf(code) ?? code } })),
            },
          },
          results: findings.map((finding) => ({
            ruleId: finding.code,
            ruleIndex: codes.indexOf(finding.code),
            level: LEVELS[finding.severity],
            message: { text: `${facts(finding)}: ${finding.fix}` },
            locations: [location(finding)],
          })),
          invocations: [
            {
              executionSuccessful: unreadable.length === 0,
              toolExecutionNotifications: unreadable.map((text) => ({ level: 'error', message: { text } })),
            },
          ],
        },
      ],
    },
    null,
    2,
  )}\n`;
}

function location({ file, line, column, object }: Finding) {
  return {
    ...(file === undefined
      ? {}
      : {
          physicalLocation: {
            artifactLocation: { uri: file.startsWith('/') ? pathToFileURL(file).href : encodeURI(file.replaceAll('\\', '/')) },
            ...(line === undefined ? {} : { region: { startLine: line, startColumn: column ?? 1 } }),
          },
        }),
    ...(object === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: formatIdentity(object), kind: 'object' }] }),
  };
}
