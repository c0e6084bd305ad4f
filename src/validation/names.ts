/** Forms of names in Kubernetes, as k8s.io/apimachinery/pkg/util/validation has them: plain functions without dependencies. */
export type NameRule = 'dns-subdomain' | 'dns-label' | 'dns-1035-label' | 'path-segment' | 'cron-job';

export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
export const DNS_1035_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
export const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_PART = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

const MAX_LABEL_CHARS = 63;
const MAX_SUBDOMAIN_CHARS = 253;
// The controller adds 11 characters for the Jobs it makes.
const MAX_CRON_JOB_CHARS = 52;

interface NameForm {
  readonly allowed: string;
  readonly accepts: (name: string) => boolean;
}

const subdomain = (maxChars: number): NameForm => ({
  allowed: `lower case letters, digits, '-' and '.', beginning and ending with a letter or digit, at most ${maxChars} characters`,
  accepts: (name) => name.length <= maxChars && DNS_SUBDOMAIN.test(name),
});

export const NAME_FORMS: Readonly<Record<NameRule, NameForm>> = {
  'dns-subdomain': subdomain(MAX_SUBDOMAIN_CHARS),
  'cron-job': subdomain(MAX_CRON_JOB_CHARS),
  'dns-label': {
    allowed: `lower case letters, digits and '-', beginning and ending with a letter or digit, at most ${MAX_LABEL_CHARS} characters`,
    accepts: (name) => name.length <= MAX_LABEL_CHARS && DNS_LABEL.test(name),
  },
  'dns-1035-label': {
    allowed: `lower case letters, digits and '-', beginning with a letter, ending with a letter or digit, at most ${MAX_LABEL_CHARS} characters`,
    accepts: (name) => name.length <= MAX_LABEL_CHARS && DNS_1035_LABEL.test(name),
  },
  'path-segment': {
    allowed: "text without '/' and '%' that is not '.' or '..'",
    accepts: (name) => name !== '.' && name !== '..' && !/[/%]/.test(name),
  },
};

export const LABEL_KEY_FORM =
  "an optional DNS subdomain and '/', then at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit";
export const LABEL_VALUE_FORM =
  "at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, or empty";

/** A label key, annotation key or finalizer: `example.com/name` or `name`. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  const prefix = slash === -1 ? undefined : text.slice(0, slash);
  const name = text.slice(slash + 1);
  if (prefix !== undefined && !NAME_FORMS['dns-subdomain'].accepts(prefix)) return false;
  return name.length <= MAX_LABEL_CHARS && QUALIFIED_PART.test(name);
}

export function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= MAX_LABEL_CHARS && QUALIFIED_PART.test(text));
}
