"""What OpenAI's Python client gets of a gateway. Prints one JSON object."""
import json
import sys

import openai

url, key, model, other = sys.argv[1:]
client = openai.OpenAI(base_url=url + "/v1", api_key=key, max_retries=0)
messages = [{"role": "user", "content": "tell me something"}]

whole = client.chat.completions.create(model=model, messages=messages, max_tokens=12)
stream = list(client.chat.completions.create(model=model, messages=messages, max_tokens=12, stream=True, stream_options={"include_usage": True}))
plain = list(client.chat.completions.create(model=other, messages=messages, max_tokens=12, stream=True))
completion = client.completions.create(model=other, prompt="tell me", max_tokens=5)
response = client.responses.create(model=model, input="tell me", max_output_tokens=5)


def refusal(call):
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.body["type"] if error.body else None]
    return None


stranger = openai.OpenAI(base_url=url + "/v1", api_key="sk-of-nobody-at-all", max_retries=0)
print(json.dumps({
    "text": whole.choices[0].message.content,
    "model": whole.model,
    "usage": whole.usage.completion_tokens,
    "streamed": "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices),
    "streamedUsage": stream[-1].usage.completion_tokens,
    "streamedModels": sorted({chunk.model for chunk in stream}),
    "usageUnasked": any(chunk.usage for chunk in plain),
    "completionUsage": completion.usage.completion_tokens,
    "response": response.status,
    "models": sorted(model.id for model in client.models.list()),
    "unknownModel": refusal(lambda: client.chat.completions.create(model="gpt-9", messages=messages)),
    "unknownKey": refusal(lambda: stranger.chat.completions.create(model=model, messages=messages)),
}))
