import { EndpointStore } from '../../../../src/picker/datastore/endpoint-store';
import { Exposition } from '../../../../src/picker/telemetry/exposition';
import { writePoolMetrics } from '../../../../src/picker/telemetry/pool-metrics';

function page(store: EndpointStore): string {
  const out = new Exposition();
  writePoolMetrics(out, [{ name: 'llama', endpoints: store }]);
  return out.take();
}

test('a pool without endpoints has gauges of 0', () => {
  const text = page(new EndpointStore());
  expect(text).toContain('llm_d_epp_ready_endpoints{name="llama"} 0\n');
  expect(text).toContain('llm_d_epp_average_queue_size{name="llama"} 0\n');
  expect(text).not.toContain('NaN');
});

test('only ready endpoints are in the mean and the deviation', () => {
  const store = new EndpointStore();
  store.replaceAll(
    [1, 2, 3].map((port) => ({
      name: `e${port}`,
      address: '10.0.0.1',
      port,
      labels: {},
      ready: port !== 3,
      hostPort: `10.0.0.1:${port}`,
    })),
  );
  const { table, byHostPort } = store.snapshot;
  [2, 6, 100].forEach((waiting, i) => {
    table.waiting[byHostPort.get(`10.0.0.1:${i + 1}`)!] = waiting;
  });
  const text = page(store);
  expect(text).toContain('llm_d_epp_ready_endpoints{name="llama"} 2\n');
  expect(text).toContain('llm_d_epp_average_queue_size{name="llama"} 4\n');
  expect(text).toContain('llm_d_epp_std_dev_queue_size{name="llama"} 2\n');
  expect(text).toContain('llm_d_epp_per_endpoint_queue_size{model_server_endpoint="e2",name="llama"} 6\n');
  expect(text).not.toContain('e3');
});

test('several pools share each family', () => {
  const out = new Exposition();
  writePoolMetrics(out, [
    { name: 'a', endpoints: new EndpointStore() },
    { name: 'b', endpoints: new EndpointStore() },
  ]);
  const text = out.take();
  expect(text.match(/^# TYPE llm_d_epp_ready_endpoints /gm)).toHaveLength(1);
  expect(text).toContain('llm_d_epp_ready_endpoints{name="b"} 0\n');
});
