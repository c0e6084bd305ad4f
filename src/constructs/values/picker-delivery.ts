import { refuse } from '../internal/errors';

/** The Node image that runs a program delivered in ConfigMaps. */
export const NODE_IMAGE = 'docker.io/library/node:24.21.0-trixie-slim';

/** How a program in ConfigMaps is run. */
export interface ConfigMapDeliveryOptions {
  /** Image with `node` 20.19 or later in its PATH. @default - the slim image of Node 24 from Docker Hub, pinned to one release */
  readonly nodeImage?: string;
  /** File with another build of the picker, for example a later one. @default - the one in this package */
  readonly bundleFile?: string;
}

/** How the picker's program reaches the cluster. */
export class PickerDelivery {
  /**
   * An image that holds the program, from a registry that the nodes can pull from.
   *
   * @param reference `registry/repository:tag` or `…@sha256:…`
   * @throws AIG440 when it is no image reference
   */
  public static image(reference: string): PickerDelivery {
    return new PickerDelivery('image', checkedImage('PickerDelivery.image', reference), undefined);
  }

  /**
   * ConfigMaps that hold the program, and a stock Node image that runs it: nothing has to be built or pushed. Each object stays
   * below 180 KB, so that `kubectl apply` takes it without `--server-side`.
   *
   * @throws AIG440 when `nodeImage` is no image reference
   */
  public static configMap(options: ConfigMapDeliveryOptions = {}): PickerDelivery {
    const image = checkedImage('nodeImage of PickerDelivery.configMap', options.nodeImage ?? NODE_IMAGE);
    return new PickerDelivery('configMap', image, options.bundleFile);
  }

  private constructor(
    /** `image` or `configMap`. */
    public readonly kind: string,
    /** Image of the picker's container. */
    public readonly containerImage: string,
    /** Set by `configMap({ bundleFile })`. */
    public readonly bundleFile: string | undefined,
  ) {}

  /** False when the same reference may mean other bytes tomorrow: no tag, or `latest`. */
  public get isPinned(): boolean {
    const name = this.containerImage.slice(this.containerImage.lastIndexOf('/') + 1);
    return name.includes('@') || (name.includes(':') && !name.endsWith(':latest'));
  }
}

// [host[:port]/]path[:tag][@digest], after the grammar of the distribution project's reference package: what stands before the
// first slash is a host when it has a dot or a port, or is localhost
const HOST = String.raw`(?:localhost|[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+)(?::\d{1,5})?|[a-zA-Z0-9-]+:\d{1,5}`;
const PATH = '[a-z0-9]+(?:[._/-]+[a-z0-9]+)*';
const REFERENCE = new RegExp(String.raw`^(?:(?:${HOST})\/)?${PATH}(?::\w[\w.-]{0,127})?(?:@[a-z0-9]+:[a-f0-9]{32,})?$`);

function checkedImage(factory: string, reference: string): string {
  if (typeof reference === 'string' && reference.length <= 512 && REFERENCE.test(reference)) return reference;
  return refuse(undefined, {
    code: 'AIG440',
    what: `${factory} is no image reference`,
    value: reference,
    allowed: 'registry/repository:tag, or …@sha256:…',
    fix: "name the image as a container runtime pulls it, for example 'registry.example.com/llm/endpoint-picker:1.2.0'",
  });
}
