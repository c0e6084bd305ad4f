"""What Anthropic's Python client gets of a gateway. Prints one JSON object."""
import json
import sys

import anthropic

url, key, model = sys.argv[1:]
client = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)
messages = [{"role": "user", "content": "tell me something"}]

whole = client.messages.create(model=model, messages=messages, max_tokens=12)
with client.messages.stream(model=model, messages=messages, max_tokens=12) as stream:
    text = "".join(stream.text_stream)
    last = stream.get_final_message()


def refusal(call):
    try:
        call()
    except anthropic.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.body["type"], error.body["error"]["type"]]
    return None


stranger = anthropic.Anthropic(base_url=url, api_key="sk-of-nobody-at-all", max_retries=0)
print(json.dumps({
    "text": whole.content[0].text,
    "model": whole.model,
    "stop": whole.stop_reason,
    "usage": whole.usage.output_tokens,
    "streamed": text,
    "streamedUsage": last.usage.output_tokens,
    "unknownModel": refusal(lambda: client.messages.create(model="claude-9", messages=messages, max_tokens=4)),
    "unknownKey": refusal(lambda: stranger.messages.create(model=model, messages=messages, max_tokens=4)),
}))
