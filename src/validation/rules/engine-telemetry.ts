import { finding, type Rule } from './rule';
import { engines } from './support/engines';

const SWITCHES = ['VLLM_NO_USAGE_STATS', 'DO_NOT_TRACK'];

/** vLLM reports what it runs on to its makers unless told otherwise. */
export const engineTelemetry: Rule = {
  code: 'AIG205',
  name: 'engine-telemetry',
  title: 'Usage statistics of an engine are switched off',
  severity: 'hint',
  check: (index) =>
    engines(index)
      .filter(({ type, container }) => {
        const names = container.at('env').items.flatMap((variable) => variable.at('name').text ?? []);
        return type === 'vllm' && !names.some((name) => SWITCHES.includes(name)) && container.at('envFrom').items.length === 0;
      })
      .map(({ container }) =>
        finding(container.at('env'), 'does not have VLLM_NO_USAGE_STATS, so that the engine sends usage statistics', {
          fix: "add VLLM_NO_USAGE_STATS: '1'",
        }),
      ),
};
