/**
 * How the weights of a model are stored on the GPU.
 *
 * `bitsPerParameter` counts scales and zero points with the layers that are quantized; embeddings, the output head and norms stay 16 bit.
 */
export class Quantization {
  /** 8-bit floats, quantized while loading a 16-bit checkpoint, or as the checkpoint says. Halves the weights. */
  public static fp8(): Quantization {
    return new Quantization('fp8', 8, 'fp8');
  }
  /** 4-bit integers with a 16-bit scale and a 4-bit zero point per 128 weights: 4.16 bits. Needs an AWQ checkpoint. */
  public static awq(): Quantization {
    return new Quantization('awq', 4 + 20 / 128, 'awq', 4);
  }
  /** 4-bit integers as `awq()`, made by GPTQ. Needs a GPTQ checkpoint. */
  public static gptq(): Quantization {
    return new Quantization('gptq', 4 + 20 / 128, 'gptq', 4);
  }
  /** Made by llm-compressor with `bits` bits per weight. Needs such a checkpoint; vLLM finds the scheme in it. */
  public static compressedTensors(bits: number): Quantization {
    return new Quantization('compressed-tensors', bits, 'compressed-tensors', bits < 16 ? bits : undefined);
  }
  /** 4-bit floats with an 8-bit scale per 32 weights: 4.25 bits. Needs an MXFP4 checkpoint, such as gpt-oss. */
  public static mxfp4(): Quantization {
    return new Quantization('mxfp4', 4.25, 'mxfp4', 4);
  }
  /** 4-bit floats with an 8-bit scale per 16 weights: 4.5 bits. Needs a checkpoint made by NVIDIA ModelOpt, and a Blackwell GPU for speed. */
  public static nvfp4(): Quantization {
    return new Quantization('nvfp4', 4.5, 'modelopt_fp4', 4);
  }
  /** Any other method: `argument` is the value of vLLM's `--quantization`. */
  public static custom(argument: string, bitsPerParameter: number): Quantization {
    return new Quantization(argument, bitsPerParameter, argument);
  }

  private constructor(
    /** Short name, as in messages. */
    public readonly name: string,
    /** Average size of a quantized weight in bits, 1 to 16. */
    public readonly bitsPerParameter: number,
    /** Value of vLLM's `--quantization`. */
    public readonly argument: string,
    /** Set when the weights must have been quantized beforehand; the bits of one weight. */
    public readonly checkpointBits: number | undefined = undefined,
  ) {}
}
