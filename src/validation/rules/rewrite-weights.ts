import { finding, type Rule } from './rule';

/** The kind has no rule for it, and the picker only logs a warning and takes equal shares. */
export const rewriteWeights: Rule = {
  code: 'AIG211',
  name: 'rewrite-weights',
  title: 'All targets of a rewrite have a weight, or none has',
  severity: 'warning',
  check: (index) =>
    ['llm-d.ai', 'inference.networking.x-k8s.io'].flatMap((group) =>
      index.ofKind(group, 'InferenceModelRewrite').flatMap((rewrite) =>
        rewrite.at('spec', 'rules').items.flatMap((rule) => {
          const targets = rule.at('targets').items;
          const weighted = targets.filter((target) => target.at('weight').isSet);
          if (weighted.length === 0 || weighted.length === targets.length) return [];
          return [
            finding(rule.at('targets'), 'have weights in part, which the picker ignores altogether', {
              fix: 'give every target a weight, or none',
            }),
          ];
        }),
      ),
    ),
};
