import type { IInferencePool } from '../inference-pool';
import type { PolicyInput } from '../picker/input';
import { accessPolicy } from './access-checks';
import type { GatewayState } from './gateway-state';
import {
  API_KEYS_FOLDER,
  KEY_SET_FOLDER,
  pickerPolicy,
  STATE_FOLDER,
  STORE_CA_FOLDER,
  STORE_CERTIFICATE_FOLDER,
  STORE_FOLDER,
} from './policy';

/** The policy of a picker that chooses among `pools`, with the models that live there, and the Secrets that it reads. */
export function policyInput(gateway: GatewayState, pools: readonly IInferencePool[]): PolicyInput {
  const { options } = gateway;
  const models = gateway.models.filter((model) => model.targets.some(({ pool }) => pools.includes(pool)));
  const names = new Set(models.flatMap((model) => [model.modelName, ...model.aliases, ...model.adapters]));
  const policy = pickerPolicy({
    pools,
    models,
    limits: gateway.limits.filter((limit) => limit.models === undefined || limit.models.some((name) => names.has(name))),
    classHeader: options.classHeader ?? 'x-model-class',
    headerClasses: Object.fromEntries(Object.entries(options.headerClasses ?? {}).filter(([, name]) => names.has(name))),
    defaultModel: options.defaultModel !== undefined && names.has(options.defaultModel) ? options.defaultModel : undefined,
    identity: options.identity,
    access: options.modelAccess === undefined ? undefined : accessPolicy(options.modelAccess, names),
    flowControl: options.flowControl,
    store: options.tokenStore,
    storeScope: [gateway.gatewayNamespace, gateway.gatewayName].filter((part) => part !== undefined).join('/'),
  });
  const secretMounts: { secretName: string; mountPath: string }[] = [];
  if (options.identity?.secretName !== undefined)
    secretMounts.push({ secretName: options.identity.secretName, mountPath: API_KEYS_FOLDER });
  const keySet = options.identity?.jwtOptions?.keySet;
  if (keySet !== undefined) secretMounts.push({ secretName: keySet.secretName, mountPath: KEY_SET_FOLDER });
  const { password, caCertificate, clientCertificate } = options.tokenStore?.redisOptions ?? {};
  if (password !== undefined) secretMounts.push({ secretName: password.secretName, mountPath: STORE_FOLDER });
  if (caCertificate !== undefined) secretMounts.push({ secretName: caCertificate.secretName, mountPath: STORE_CA_FOLDER });
  if (clientCertificate !== undefined)
    secretMounts.push({ secretName: clientCertificate.name, mountPath: STORE_CERTIFICATE_FOLDER });
  const stateFolder = policy.store?.memory === undefined ? undefined : STATE_FOLDER;
  return { policy: () => policy, secretMounts: () => secretMounts, stateFolder: () => stateFolder };
}
