import { finding, type Rule } from './rule';

const EG = 'gateway.envoyproxy.io';

const TARGETING = ['BackendTrafficPolicy', 'ClientTrafficPolicy', 'SecurityPolicy', 'EnvoyExtensionPolicy'];

/** `targetRef` and `rateLimit.type` still work, and are going. */
export const deprecatedPolicyFields: Rule = {
  code: 'AIG140',
  name: 'deprecated-policy-fields',
  title: 'Policies of Envoy Gateway do without deprecated fields',
  severity: 'hint',
  check: (index) =>
    index.ofKinds(EG, ...TARGETING).flatMap((policy) => {
      const target = policy.at('spec', 'targetRef');
      const type = policy.at('spec', 'rateLimit', 'type');
      return [
        ...(target.isSet ? [finding(target, 'is deprecated', { fix: 'write it as the only entry of targetRefs' })] : []),
        ...(type.isSet
          ? [
              finding(type, 'is deprecated: global and local say it themselves', {
                fix: 'remove it',
                mend: { remove: type.path },
              }),
            ]
          : []),
      ];
    }),
};
