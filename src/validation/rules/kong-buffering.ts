import { finding, type Rule } from './rule';
import { isModelRule } from './support/engines';
import { httpRoutes, isServedBy, rulesOf } from './support/routes';

/** Kong buffers responses by default, so that a streamed answer comes in lumps. */
export const kongBuffering: Rule = {
  code: 'AIG166',
  name: 'kong-buffering',
  title: 'Kong does not buffer streamed answers',
  severity: 'warning',
  check: (index, profile) =>
    httpRoutes(index)
      .filter(
        (route) =>
          isServedBy(index, profile, route, 'kong') &&
          rulesOf(route).some((rule) => isModelRule(index, rule)) &&
          route.annotation('konghq.com/response-buffering') !== 'false',
      )
      .map((route) => {
        const field = route.at('metadata', 'annotations', 'konghq.com/response-buffering');
        return finding(field, "is not 'false', so that streamed answers are held back", {
          fix: "add konghq.com/response-buffering: 'false' to the annotations of the route",
          mend: { set: field.path, value: 'false' },
        });
      }),
};
