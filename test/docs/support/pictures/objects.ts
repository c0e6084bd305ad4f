import { ApiObject, type App, type Chart } from 'cdk8s';
import { Svg } from './svg';

const WIDTH = 290;
const GAP = 16;
const LINE = 17;

/** The objects of an app below the construct of the program that made them. */
export function objectsPicture(app: App): string {
  const cards = (app.charts as Chart[]).flatMap((chart) => chart.node.children.map((child) => cardOf(child.node.id, child)));
  const columns: (typeof cards)[] = [[], [], []];
  const heights = columns.map(() => 56);
  for (const card of cards) {
    // the gateway makes the most, and gets a column of its own
    const shortest = isGateway(card) ? 2 : heights[0]! <= heights[1]! ? 0 : 1;
    columns[shortest]!.push(card);
    heights[shortest]! += heightOf(card) + GAP;
  }
  const svg = new Svg(3 * WIDTH + 4 * GAP, Math.max(...heights) + 4, 'What the guide makes, by construct');
  svg
    .text('The guide', 24, 28, 'title')
    .text('each box is a construct of the program, with the objects that it makes', 120, 28, 'small');
  columns.forEach((column, index) => {
    let y = 44;
    const x = GAP + index * (WIDTH + GAP);
    for (const card of column) {
      svg.box(isGateway(card) ? 'picker' : 'box', x, y, WIDTH, heightOf(card)).text(card.title, x + 12, y + 20, 'bold');
      for (const [row, line] of card.lines.entries()) svg.text(line, x + 12, y + 40 + row * LINE, 'small');
      y += heightOf(card) + GAP;
    }
  });
  return svg.toString();
}

interface Card {
  readonly title: string;
  readonly lines: readonly string[];
}

function cardOf(title: string, construct: Parameters<typeof ApiObject.isApiObject>[0]): Card {
  const objects = (construct as App).node.findAll().filter((child): child is ApiObject => ApiObject.isApiObject(child));
  // how many parts the picker's program has depends on the build
  const lines = objects.map(({ kind, name }) => `${kind} ${name.replace(/-bundle-[0-9a-f]{8}-\d+$/, '-bundle-…')}`);
  return { title, lines: [...new Set(lines)] };
}

function isGateway({ title }: Card): boolean {
  return title.includes('gateway');
}

function heightOf({ lines }: Card): number {
  return 34 + lines.length * LINE;
}
