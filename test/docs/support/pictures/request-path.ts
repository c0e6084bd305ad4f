import type { RequestExplanation } from '../../../../src/picker/explain/explanation';
import { Svg } from './svg';

const COLORS = ['#8fb8de', '#f2c14e', '#a8cf9a', '#e38b75', '#b9a6d9'];
const BAR_WIDTH = 270;
const ROW = 34;

/** One request, as `explain --json` explains it: from its model to the endpoints with their scores. */
export function requestPathPicture({ request, model, limits, scheduling }: RequestExplanation): string {
  const endpoints = scheduling!.endpoints;
  const scorers = Object.entries(endpoints.find(({ verdict }) => verdict === 'kept')!.weights);
  const most = Math.max(...endpoints.map(({ total }) => total));
  const svg = new Svg(880, 262 + endpoints.length * ROW, 'How one request finds its endpoint');
  svg.text('One request', 24, 28, 'title').text('drawn from what explain says of it', 140, 28, 'small');
  const steps: readonly (readonly [string, ...string[]])[] = [
    ['request', `model '${request.model}'`, `${request.promptTokens} prompt tokens`],
    ['model', `'${model!.name}'`, model!.rule === 'body' ? 'named by the body' : `by ${model!.rule}`],
    ['limits', ...limits.map(({ name, charge }) => `${name}: ${charge} set aside`)],
    ['pool', scheduling!.pool, `${model!.pools.find(({ isTaken }) => isTaken)!.readyEndpoints} ready endpoints`],
  ];
  steps.forEach(([title, ...lines], index) => {
    const x = 24 + index * 215;
    svg.box(index === 0 ? 'box' : 'picker', x, 46, 185, 66).text(title, x + 12, 66, 'bold');
    for (const [row, line] of lines.entries()) svg.text(line, x + 12, 84 + row * 17, 'small');
    if (index > 0)
      svg.line(
        'flow',
        [
          [x - 30, 79],
          [x - 2, 79],
        ],
        true,
      ); // prettier-ignore
  });
  svg.line(
    'flow',
    [
      [762, 112],
      [762, 134],
      [120, 134],
      [120, 156],
    ],
    true,
  ); // prettier-ignore
  svg.text('endpoint', 24, 178, 'bold').text('weight × score, added up', 190, 178, 'bold').text('total', 490, 178, 'bold');
  endpoints.forEach(({ name, verdict, weights, scores, total, chosen, inputs }, row) => {
    const y = 190 + row * ROW;
    svg.box(chosen === 1 ? 'box' : verdict === 'kept' ? 'pod' : 'faint', 20, y, 840, ROW - 6).text(name, 32, y + 18);
    if (verdict !== 'kept') {
      svg.text(verdict === 'not-ready' ? 'not ready' : `removed by ${verdict}`, 190, y + 18, 'small');
      return;
    }
    let x = 190;
    scorers.forEach(([scorer], index) => {
      const width = (BAR_WIDTH * weights[scorer]! * scores[scorer]!) / most;
      svg.fill(COLORS[index % COLORS.length]!, x, y + 6, width, ROW - 18);
      x += width;
    });
    svg.text(total.toFixed(2), 490, y + 18);
    const facts = `${inputs.waiting} waiting, ${inputs.running} running, KV ${Math.round(inputs.kvUsageRatio * 100)}%, ${inputs.cachedTokens} tokens cached`;
    svg.text(`${facts}${chosen === 1 ? ': chosen' : ''}`, 550, y + 18, chosen === 1 ? 'small bold' : 'small');
  });
  const legend = 210 + endpoints.length * ROW;
  let x = 24;
  scorers.forEach(([scorer, weight], index) => {
    svg.fill(COLORS[index % COLORS.length]!, x, legend, 12, 12).text(`${scorer} ×${weight}`, x + 18, legend + 10, 'small');
    x += 60 + scorer.length * 6.6;
  });
  return svg.toString();
}
