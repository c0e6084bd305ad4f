import { refuse } from '../internal/errors';
import type { INamedObject } from './secret-reference';

/** A LoRA adapter that is served beside its base model, under a name of its own. */
export class LoraAdapter {
  /** The Hugging Face repository `id`, served as `name`. */
  public static huggingFace(name: string, id: string): LoraAdapter {
    return new LoraAdapter(name, id, true);
  }
  /** A folder that the engine's container has, for example below the mounted weights, served as `name`. */
  public static path(name: string, path: string): LoraAdapter {
    return new LoraAdapter(name, path, false);
  }
  private constructor(
    /** Name that a request asks for. */
    public readonly name: string,
    /** Repository id or folder. */
    public readonly location: string,
    /** True when the engine has to download it. */
    public readonly isDownloaded: boolean,
  ) {
    if (!/^[^\s=,]+$/.test(name) || !/^[^\s,]+$/.test(location)) {
      refuse(undefined, {
        code: 'AIG416',
        what: 'a LoRA adapter needs a name and a location',
        value: { name, location },
        allowed: "no spaces, no ',', and no '=' in the name",
        fix: 'rename the adapter',
      });
    }
  }
}

/** A Jinja template that turns messages into a prompt. */
export class ChatTemplate {
  /** The key `key` of the ConfigMap `configMap`. */
  public static fromConfigMap(configMap: INamedObject, key: string): ChatTemplate {
    return new ChatTemplate(configMap.name, key);
  }
  private constructor(
    /** Name of the ConfigMap. */
    public readonly configMapName: string,
    /** Key inside it. */
    public readonly key: string,
  ) {}
}

/** Where the engine keeps what it downloads and compiles. */
export class ModelCache {
  /**
   * The node's disk, empty for every new pod.
   * `sizeGib` defaults to the weights and a fifth, and 20 GiB for compiled kernels.
   */
  public static ephemeral(sizeGib?: number): ModelCache {
    return new ModelCache(undefined, sizeGib);
  }
  /** A PersistentVolumeClaim. Several replicas need one that can be mounted by many nodes (ReadWriteMany). */
  public static persistentVolumeClaim(claim: INamedObject): ModelCache {
    return new ModelCache(claim.name, undefined);
  }
  private constructor(
    /** Name of the claim; undefined for the node's disk. */
    public readonly claimName: string | undefined,
    /** Size of the part of the node's disk in GiB. */
    public readonly sizeGib: number | undefined,
  ) {}
}
