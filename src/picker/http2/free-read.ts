/** Below this a read costs the collector less than giving it back costs. */
const WORTH_FREEING_BYTES = 16_384;

/** ES2024; Node has it from 22 on. */
type Transferable = ArrayBuffer & { transfer?(length: number): ArrayBuffer };

/**
 * Gives the memory of one read of a socket back at once. Node makes an array buffer for each, outside of the heap, and counts it against the
 * limit that starts a full collection: at hundreds of megabytes a second those are a quarter of the work. Nothing may use `chunk` behind this.
 */
export function freeRead(chunk: Buffer): void {
  if (chunk.length < WORTH_FREEING_BYTES || chunk.length !== chunk.buffer.byteLength) return;
  const memory = chunk.buffer as Transferable;
  memory.transfer?.(0);
}
