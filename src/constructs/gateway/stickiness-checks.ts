import type { IInferenceModel } from '../inference-model';
import { refuse } from '../internal/errors';
import type { ClientIdentity } from '../values/client-identity';

/** Refuses sessions that nobody would keep together. @throws AIG496, AIG497 */
export function checkStickiness(models: readonly IInferenceModel[], identity: ClientIdentity | undefined, isLlmd: boolean): void {
  for (const model of models) {
    if (model.stickiness === undefined) continue;
    if (isLlmd) {
      const what = 'the llm-d picker chooses a target by chance for each request, and would tear sessions apart';
      const fix = 'use the picker of this project, or leave stickiness out';
      refuse(model, { code: 'AIG497', what, value: model.modelName, fix });
    }
    if (model.stickiness.source === 'client' && identity === undefined) {
      const what = 'clients shall be kept at their target, and the gateway knows none';
      const fix = 'set identity on the gateway (ClientIdentity.apiKeys or .jwt), or use Stickiness.header';
      refuse(model, { code: 'AIG496', what, value: model.modelName, fix });
    }
  }
}
