import fc from 'fast-check';
import type { GrpcStream } from '../../src/picker/http2/grpc';
import { healthService } from '../../src/picker/server/health-service';
import { HealthState } from '../../src/picker/server/health-state';

/** Keeps what the service sends. */
class KeptStream implements GrpcStream {
  public readonly sent: string[] = [];
  public readonly statuses: number[] = [];
  public readonly pendingBytes = 0;
  public send(message: Buffer, start: number, length: number): boolean {
    this.sent.push(message.toString('hex', start, start + length));
    return true;
  }
  public sendParts(): boolean {
    throw new Error('a health answer has one part');
  }
  public end(status: number): void {
    this.statuses.push(status);
  }
  public flush(): void {}
  public get closed(): boolean {
    return this.statuses.length > 0;
  }
}

test('any bytes get one answer or an invalid argument, and end the call once', () => {
  const [check] = healthService(new HealthState());
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 3 }), (messages) => {
      const stream = new KeptStream();
      const call = check!.open(stream);
      for (const message of messages) call.onMessage(Buffer.from(message), 0, message.length);
      call.onHalfClose();
      call.onClose(false);
      expect(stream.statuses).toHaveLength(1);
      expect([0, 3]).toContain(stream.statuses[0]);
      expect(stream.sent.length).toBe(stream.statuses[0] === 0 ? 1 : 0);
    }),
    { numRuns: 500 },
  );
});
