import { finding, type Rule } from './rule';

/** Istio's own filter for pickers has this name, and is set per route by it: another of the name gets the picker's settings. */
export const istioFilterName: Rule = {
  code: 'AIG164',
  name: 'istio-filter-name',
  title: 'An EnvoyFilter does not add a filter under the name of Istio’s own',
  severity: 'error',
  check: (index) =>
    index.ofKind('networking.istio.io', 'EnvoyFilter').flatMap((object) =>
      object
        .at('spec', 'configPatches')
        .items.filter(
          (patch) =>
            patch.at('applyTo').text === 'HTTP_FILTER' &&
            (patch.at('patch', 'operation').text ?? '').startsWith('INSERT') &&
            patch.at('patch', 'value', 'name').text === 'envoy.filters.http.ext_proc',
        )
        .map((patch) =>
          finding(patch.at('patch', 'value', 'name'), 'is the name under which Istio adds the pickers of InferencePools', {
            fix: 'name it otherwise, envoy.filters.http.ext_proc.payload-processor for example',
          }),
        ),
    ),
};
