import { finding, type Rule } from './rule';
import { isModelRule } from './support/engines';
import { durationSeconds } from './support/quantities';
import { httpRoutes, rulesOf } from './support/routes';

/** A limit that was chosen, and is shorter than answers usually are. */
export const shortTimeout: Rule = {
  code: 'AIG126',
  name: 'short-timeout',
  title: 'The timeout of a route to models leaves time for an answer',
  severity: 'hint',
  check: (index) =>
    httpRoutes(index).flatMap((route) =>
      rulesOf(route)
        .filter((rule) => isModelRule(index, rule))
        .flatMap((rule) => {
          const request = rule.at('timeouts', 'request');
          const seconds = durationSeconds(request.text);
          if (seconds === undefined || seconds === 0 || seconds >= 60) return [];
          return [
            finding(request, 'is short for answers of a language model, which take minutes when they are long or have to queue', {
              fix: 'set it to the longest answer that you allow, 600s for example',
            }),
          ];
        }),
    ),
};
