import type { Rule } from './rule';
import { accelerators, engines } from './support/engines';

const GPU_IMAGE = /(^|\/)vllm\/vllm-openai(-rocm)?[:@]|(^|\/)vllm\/vllm-openai$|(^|\/)lmsysorg\/sglang|(^|\/)llm-d-cuda/;

/** An image that is made for GPUs, in a container that asks for none: it lands on any node, and does not find a device. */
export const engineAccelerator: Rule = {
  code: 'AIG206',
  name: 'engine-accelerator',
  title: 'An engine asks for the accelerators that its image needs',
  severity: 'warning',
  check: (index) =>
    engines(index)
      .filter(
        ({ container, workload }) =>
          GPU_IMAGE.test(container.at('image').text ?? '') &&
          accelerators(container) === undefined &&
          workload.podSpec.at('resourceClaims').items.length === 0 &&
          workload.podSpec.at('resources').value === undefined,
      )
      .map(({ container }) => ({
        field: container.at('resources'),
        what: `container ${container.at('name').text ?? ''} runs an engine for GPUs and asks for none`,
        fix: 'add limits with nvidia.com/gpu, or the resource of your accelerators',
      })),
};
