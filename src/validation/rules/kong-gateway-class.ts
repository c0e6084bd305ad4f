import { finding, type Rule } from './rule';

/** The ingress controller serves only Gateways that it does not have to make itself. */
export const kongGatewayClass: Rule = {
  code: 'AIG165',
  name: 'kong-gateway-class',
  title: 'A GatewayClass of Kong’s ingress controller is unmanaged',
  severity: 'error',
  check: (index) =>
    index
      .ofKind('gateway.networking.k8s.io', 'GatewayClass')
      .filter(
        (gatewayClass) =>
          gatewayClass.at('spec', 'controllerName').text === 'konghq.com/kic-gateway-controller' &&
          gatewayClass.annotation('konghq.com/gatewayclass-unmanaged') === undefined,
      )
      .map((gatewayClass) =>
        finding(
          gatewayClass.at('metadata', 'annotations'),
          'do not have konghq.com/gatewayclass-unmanaged, without which the class is not served',
          {
            fix: "add konghq.com/gatewayclass-unmanaged: 'true'",
            mend: {
              set: gatewayClass.at('metadata', 'annotations', 'konghq.com/gatewayclass-unmanaged').path,
              value: 'true',
            },
          },
        ),
      ),
};
