import type { PeerExchange } from '../peers/peer-exchange';
import type { Exposition } from './exposition';

/** What goes between the replicas of a picker. */
export function writePeerMetrics(out: Exposition, { traffic, prefixes }: PeerExchange): void {
  out.family('aig_picker_peers', 'gauge', 'Other replicas that this one hears or tells.');
  out.sample('aig_picker_peers', ['direction', 'receiving'], traffic.receiving);
  out.sample('aig_picker_peers', ['direction', 'sending'], traffic.sending);
  out.family('aig_picker_peer_bytes_total', 'counter', 'Bytes that went between replicas.');
  out.sample('aig_picker_peer_bytes_total', ['direction', 'receiving'], traffic.receivedBytes);
  out.sample('aig_picker_peer_bytes_total', ['direction', 'sending'], traffic.sentBytes);
  out.family(
    'aig_picker_peer_prefixes_total',
    'counter',
    'Prompts whose hashes were told, taken over, or left out for want of room.',
  );
  out.sample('aig_picker_peer_prefixes_total', ['result', 'sent'], prefixes.sent);
  out.sample('aig_picker_peer_prefixes_total', ['result', 'received'], prefixes.received);
  out.sample('aig_picker_peer_prefixes_total', ['result', 'dropped'], prefixes.dropped);
  out.family('aig_picker_peer_refusals_total', 'counter', 'Connections between replicas that were refused or ended, by reason.');
  for (const [reason, count] of traffic.refusals) out.sample('aig_picker_peer_refusals_total', ['reason', reason], count);
}
