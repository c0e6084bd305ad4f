import { finding, type Rule } from './rule';

const EG = 'gateway.envoyproxy.io';

/** Envoy's default of 1,024 parallel streams counts whole answers here, because each keeps its picker's stream open. */
export const pickerStreams: Rule = {
  code: 'AIG148',
  name: 'picker-streams',
  title: 'The gateway may have more than 1,024 answers under way',
  severity: 'hint',
  check: (index) =>
    index.ofKind(EG, 'EnvoyExtensionPolicy').flatMap((policy) =>
      policy
        .at('spec', 'extProc')
        .items.filter(
          (extProc) =>
            extProc.at('processingMode', 'response', 'body').text === 'FullDuplexStreamed' &&
            !extProc.at('backendSettings', 'circuitBreaker', 'maxParallelRequests').isSet,
        )
        .map((extProc) =>
          finding(
            extProc.at('backendSettings'),
            'leaves the default of 1024 streams to the picker: more answers at once get 500',
            {
              fix: 'set circuitBreaker.maxParallelRequests, maxConnections and maxPendingRequests, here and in the BackendTrafficPolicy',
            },
          ),
        ),
    ),
};
