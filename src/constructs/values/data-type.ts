/** Number format of the model's computation. */
export class ModelDataType {
  /** The checkpoint's own type; 32-bit checkpoints are run as 16 bit. */
  public static readonly AUTO = new ModelDataType('auto');
  /** 16-bit brain floats. */
  public static readonly BFLOAT16 = new ModelDataType('bfloat16');
  /** 16-bit IEEE floats, for GPUs without bfloat16 (Turing, Volta). */
  public static readonly FLOAT16 = new ModelDataType('float16');
  private constructor(
    /** Value of vLLM's `--dtype`. */
    public readonly argument: string,
  ) {}
}

/** Number format of the KV cache. */
export class KvCacheDataType {
  /** The model's own type, 2 bytes per element. */
  public static readonly AUTO = new KvCacheDataType('auto', 2);
  /** 8-bit floats (e4m3): half the memory per token. */
  public static readonly FP8 = new KvCacheDataType('fp8', 1);
  /** 8-bit floats with more range and less precision. */
  public static readonly FP8_E5M2 = new KvCacheDataType('fp8_e5m2', 1);
  /** Any other value of vLLM's `--kv-cache-dtype`. */
  public static custom(argument: string, bytesPerElement: number): KvCacheDataType {
    return new KvCacheDataType(argument, bytesPerElement);
  }
  private constructor(
    /** Value of vLLM's `--kv-cache-dtype`. */
    public readonly argument: string,
    /** Bytes of one element, may be a fraction. */
    public readonly bytesPerElement: number,
  ) {}
}
