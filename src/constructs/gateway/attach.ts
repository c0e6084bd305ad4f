import type { IConstruct } from 'constructs';
import { AttachMode } from '../../implementations/attach-mode';
import type { CapabilityTable, Feature } from '../../implementations/capabilities';
import type { IInferencePool } from '../inference-pool';
import { refuse } from '../internal/errors';
import { FailureMode } from '../values/failure-mode';

/**
 * The attach mode: the one asked for if the table has it, else the table's first for one pool and the sidecar mode for several,
 * since only the sidecar proxy sees the model in the body before a pool is chosen.
 *
 * @throws AIG461 when the gateway cannot do the mode that was asked for
 */
export function chooseMode(
  scope: IConstruct,
  capabilities: CapabilityTable,
  pools: readonly IInferencePool[],
  requested: AttachMode | undefined,
): AttachMode {
  const mode = requested ?? (pools.length > 1 ? AttachMode.SIDECAR : (capabilities.attachModes[0] ?? AttachMode.SIDECAR));
  if (!capabilities.attachModes.includes(mode)) {
    refuse(scope, {
      code: 'AIG461',
      what: `${capabilities.displayName} cannot attach a picker this way: ${capabilities.attachNotes[mode.name] ?? 'not supported'}`,
      value: mode.name,
      allowed: capabilities.attachModes.map(({ name }) => name).join(', '),
      fix: 'leave attach out, or choose another gateway implementation',
    });
  }
  if (mode === AttachMode.EXTPROC && pools.length > 1) {
    refuse(scope, {
      code: 'AIG461',
      what: `extproc mode has one pool: ${capabilities.features['body-routing'].note}`,
      value: pools.map(({ poolName }) => poolName),
      allowed: 'one pool, or sidecar mode',
      fix: 'leave attach out: several pools attach in sidecar mode',
    });
  }
  for (const pool of pools) checkPool(scope, capabilities, mode, pool);
  return mode;
}

function checkPool(scope: IConstruct, capabilities: CapabilityTable, mode: AttachMode, pool: IInferencePool): void {
  if (mode === AttachMode.POOL && !pool.hasObject) {
    refuse(scope, {
      code: 'AIG461',
      what: `pool mode needs the InferencePool kind, and pool '${pool.poolName}' says that the cluster has none`,
      fix: 'install the inference extension’s CRDs, or attach in sidecar mode',
    });
  }
  if (pool.failureMode === FailureMode.FAIL_OPEN) {
    requireFeature(scope, capabilities, 'fail-open', mode, `failureMode FailOpen of pool '${pool.poolName}'`, [
      'use FailureMode.FAIL_CLOSE and two or more picker replicas',
    ]);
  }
  if (mode !== AttachMode.POOL && Object.keys(pool.podLabels).length === 0) {
    refuse(scope, {
      code: 'AIG462',
      what: `outside of pool mode the labels of the pods of pool '${pool.poolName}' must be known`,
      fix: 'pass podLabels to InferencePool.fromInferencePoolAttributes',
    });
  }
}

/**
 * Refuses what the gateway cannot do, with the reason and the ways out.
 * @throws AIG478
 */
export function requireFeature(
  scope: IConstruct,
  capabilities: CapabilityTable,
  feature: Feature,
  mode: AttachMode,
  asked: string,
  waysOut: readonly string[],
): void {
  const poolModeOnly = feature === 'fail-open' && mode !== AttachMode.POOL;
  const capability = capabilities.features[feature];
  if (capability.supported && !poolModeOnly) return;
  const reason = poolModeOnly ? 'Envoy answers 500 to requests with a body whatever is set' : capability.note;
  refuse(scope, {
    code: 'AIG478',
    what: `${capabilities.displayName} cannot do this in ${mode.name} mode: ${asked}; ${reason}`,
    fix: waysOut.join(', or '),
  });
}
