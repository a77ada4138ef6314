//! async-openai: calls the front door as the library's documentation does, prints one line of JSON, and exits with 1
//! if a check failed.
use std::{env, error::Error, process::ExitCode};

use async_openai::{
    config::OpenAIConfig,
    error::OpenAIError,
    types::chat::{
        ChatCompletionMessageToolCalls, ChatCompletionRequestUserMessageArgs, ChatCompletionTool, ChatCompletionTools,
        CreateChatCompletionRequest, CreateChatCompletionRequestArgs, FunctionObject, ResponseFormat,
        ResponseFormatJsonSchema,
    },
    Client,
};
use futures::StreamExt;
use serde_json::{json, Map, Value};

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let config = OpenAIConfig::new()
        .with_api_base(format!("{}/v1", env::var("FRONT_DOOR_URL").unwrap()))
        .with_api_key(env::var("FRONT_DOOR_KEY").unwrap());
    let client = Client::with_config(config);
    let outcomes = [
        ("chat", chat(&client).await),
        ("stream", stream(&client).await),
        ("tools", tools(&client).await),
        ("structured", structured(&client).await),
        ("errors", errors(&client).await),
    ];
    let failed = outcomes.iter().any(|(_, outcome)| outcome.is_err());
    let checks: Map<String, Value> = outcomes
        .iter()
        .map(|(name, outcome)| (name.to_string(), outcome.as_ref().err().map_or(String::new(), |e| e.to_string()).into()))
        .collect();
    println!("{}", json!({"versions": {"async-openai": version()}, "checks": checks}));
    ExitCode::from(failed as u8)
}

/// The version that Cargo.toml pins.
fn version() -> &'static str {
    let line = include_str!("../Cargo.toml").lines().find(|line| line.starts_with("async-openai")).unwrap();
    line.split('"').nth(1).unwrap().trim_start_matches('=')
}

fn city() -> Value {
    json!({
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": false,
    })
}

/// Fails unless a text is a JSON object with the member city alone.
fn expect_city(text: &str) -> Outcome {
    let object: Map<String, Value> = serde_json::from_str(text)?;
    expect(object.keys().eq(["city"]), text)
}

fn expect(condition: bool, message: &str) -> Outcome {
    if condition { Ok(()) } else { Err(format!("not as expected: {message}").into()) }
}

fn request(model: &str) -> Result<CreateChatCompletionRequestArgs, OpenAIError> {
    let message = ChatCompletionRequestUserMessageArgs::default().content("What is the weather in Paris?").build()?;
    Ok(CreateChatCompletionRequestArgs::default().model(model).messages([message.into()]).to_owned())
}

async fn create(client: &Client<OpenAIConfig>, request: CreateChatCompletionRequest) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::to_value(client.chat().create(request).await?)?)
}

async fn chat(client: &Client<OpenAIConfig>) -> Outcome {
    let response = create(client, request("llama")?.build()?).await?;
    expect(response["choices"][0]["message"]["content"].as_str().is_some_and(|text| !text.is_empty()), "no content")?;
    expect(response["usage"]["total_tokens"].as_u64() > Some(0), "no usage")
}

async fn stream(client: &Client<OpenAIConfig>) -> Outcome {
    let mut chunks = client.chat().create_stream(request("llama")?.build()?).await?;
    let mut text = String::new();
    while let Some(chunk) = chunks.next().await {
        text.extend(chunk?.choices.into_iter().filter_map(|choice| choice.delta.content));
    }
    expect(!text.is_empty(), "no text")
}

async fn tools(client: &Client<OpenAIConfig>) -> Outcome {
    let function = FunctionObject { name: "weather".into(), parameters: Some(city()), ..Default::default() };
    let tool = ChatCompletionTools::Function(ChatCompletionTool { function });
    let response = client.chat().create(request("llama")?.tools([tool]).build()?).await?;
    match response.choices[0].message.tool_calls.as_deref() {
        Some([ChatCompletionMessageToolCalls::Function(call)]) => expect_city(&call.function.arguments),
        calls => expect(false, &format!("{calls:?}")),
    }
}

async fn structured(client: &Client<OpenAIConfig>) -> Outcome {
    let json_schema = ResponseFormatJsonSchema {
        name: "place".into(),
        schema: city(),
        strict: Some(true),
        ..Default::default()
    };
    let format = ResponseFormat::JsonSchema { json_schema };
    let response = client.chat().create(request("llama")?.response_format(format).build()?).await?;
    expect_city(response.choices[0].message.content.as_deref().unwrap_or_default())
}

async fn errors(client: &Client<OpenAIConfig>) -> Outcome {
    match client.chat().create(request("unknown")?.build()?).await {
        Err(OpenAIError::ApiError(error)) => {
            expect(error.api_error.code.as_deref() == Some("model_not_found"), &format!("{error}"))?;
            expect(error.api_error.message.contains("`llama`"), &error.api_error.message)
        }
        other => expect(false, &format!("{other:?}")),
    }
}
