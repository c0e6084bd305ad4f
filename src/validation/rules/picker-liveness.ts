import { finding, type Rule } from './rule';
import { flagIsOn, pickers } from './support/pickers';

/** Without its pool a picker is not serving; a liveness probe that asks for that restarts it for ever. */
export const pickerLiveness: Rule = {
  code: 'AIG212',
  name: 'picker-liveness',
  title: 'The liveness probe of a picker does not wait for its pool',
  severity: 'warning',
  check: (index) =>
    pickers(index).flatMap((picker) => {
      const service = picker.container?.at('livenessProbe', 'grpc', 'service');
      if (service === undefined || !service.isSet || service.text === 'liveness') return [];
      if (flagIsOn(picker, 'ha-enable-leader-election', false) === true) return [];
      return [
        finding(service, 'is not serving while the pool is missing, so that the picker is restarted again and again', {
          allowed: 'liveness',
          fix: 'ask for the service liveness, and leave the pool to the readiness probe',
        }),
      ];
    }),
};
