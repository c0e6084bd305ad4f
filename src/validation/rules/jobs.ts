import type { Field } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';

const CRON_FIELD = /^[*\d,/\-?A-Za-z]+$/;

/** batch/v1 validation. */
export const jobs: Rule = {
  code: 'AIG055',
  name: 'jobs',
  title: 'Numbers of a Job and the schedule of a CronJob are usable',
  severity: 'error',
  isAdmission: true,
  check: (index) => [
    ...index.ofKind('batch', 'Job').flatMap((job) => jobSpec(job.at('spec'))),
    ...index
      .ofKind('batch', 'CronJob')
      .flatMap((job) => [
        ...jobSpec(job.at('spec', 'jobTemplate', 'spec')),
        ...schedule(job.at('spec', 'schedule')),
        ...choice(job.at('spec', 'concurrencyPolicy'), ['Allow', 'Forbid', 'Replace']),
      ]),
  ],
};

function jobSpec(spec: Field): RuleFinding[] {
  return [
    ...['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'].flatMap((key) => {
      const field = spec.at(key);
      return field.number !== undefined && field.number < 0 ? [finding(field, 'is negative', { fix: 'take 0 or more' })] : [];
    }),
    ...choice(spec.at('completionMode'), ['NonIndexed', 'Indexed']),
  ];
}

function choice(field: Field, allowed: readonly string[]): RuleFinding[] {
  if (field.text === undefined || field.text === '' || allowed.includes(field.text)) return [];
  return [finding(field, 'is no such choice', { allowed: allowed.join(', '), fix: 'take one of these' })];
}

function schedule(field: Field): RuleFinding[] {
  const { text } = field;
  if (text === undefined || /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(text) || /^@every \S+$/.test(text))
    return [];
  const parts = text.trim().split(/\s+/);
  if (parts.length === 5 && parts.every((part) => CRON_FIELD.test(part))) return [];
  return [
    finding(field, 'is no schedule', {
      allowed: "five fields, 'minute hour day month weekday', or @hourly, @daily, …",
      fix: 'correct it',
    }),
  ];
}
