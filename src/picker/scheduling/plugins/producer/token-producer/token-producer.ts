import { ConfigCode } from '../../../../../picker-config/codes';
import type { Producer } from '../../../interface/plugins';
import type { PluginParameters } from '../../../plugin-parameters';

/**
 * `token-producer`: how many tokens a prompt has. Only the `estimate` mode of llm-d-router v0.10 (`dataproducer/tokenizer`), four bytes to
 * a token, which every plugin that needs a length uses by itself (`promptTokens`); so the plugin may be named, and does nothing of its own.
 * The other modes ask a tokenizer over the network for every request and are refused. Parameters: `mode`, `modelName`.
 */
export class TokenProducer implements Producer {
  public static readonly TYPE = 'token-producer';
  public static readonly NOUN = 'token producer';

  public static standard(): TokenProducer {
    return new TokenProducer();
  }

  public static fromParameters(parameters: PluginParameters): TokenProducer {
    parameters.oneOf('mode', ['estimate'], 'estimate');
    parameters.text('modelName', undefined);
    for (const key of ['vllm', 'udsTokenizerConfig', 'tokenizerPoolConfig']) {
      if (parameters.value(key) === undefined) continue;
      parameters.fault(key, {
        code: ConfigCode.UNSUPPORTED_PLUGIN,
        what: `'${key}' asks a tokenizer for every request, which this picker does not`,
        allowed: 'mode: estimate',
        fix: 'remove it; lengths are then estimated at four bytes a token',
      });
    }
    parameters.done();
    return new TokenProducer();
  }

  public prepare(): void {
    // estimated where needed
  }

  public picked(): void {
    // nothing to remember
  }
}
