import { finding, type Rule } from './rule';
import { isModelRule } from './support/engines';
import { httpRoutes, rulesOf } from './support/routes';

/** Kong's rate-limiting plugin counts requests; the plugin that counts tokens is another, of the enterprise edition. */
export const kongRequestLimits: Rule = {
  code: 'AIG306',
  name: 'kong-request-limits',
  title: 'A KongPlugin in front of models does not limit requests only',
  severity: 'warning',
  check: (index) =>
    httpRoutes(index)
      .filter((route) => rulesOf(route).some((rule) => isModelRule(index, rule)))
      .flatMap((route) => {
        const names = (route.annotation('konghq.com/plugins') ?? '').split(',').map((name) => name.trim());
        const plugins = names.flatMap(
          (name) => index.find('configuration.konghq.com', 'KongPlugin', route.namespace, name) ?? [],
        );
        if (plugins.some((plugin) => plugin.at('plugin').text === 'ai-rate-limiting-advanced')) return [];
        return plugins
          .filter((plugin) => /^rate-limiting(-advanced)?$/.test(plugin.at('plugin').text ?? ''))
          .map((plugin) =>
            finding(plugin.at('plugin'), 'counts requests, and a request to a model may cost anything', {
              fix: 'limit tokens behind the gateway, in the picker, or with ai-rate-limiting-advanced',
            }),
          );
      }),
};
