// OpenAI's own client for Go: calls the front door as the library's documentation does, prints one line of JSON, and
// exits with 1 if a check failed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

const (
	library = "github.com/openai/openai-go/v3"
	model   = "llama"
)

var (
	baseURL  = os.Getenv("FRONT_DOOR_URL") + "/v1"
	client   = openai.NewClient(option.WithBaseURL(baseURL), option.WithAPIKey(os.Getenv("FRONT_DOOR_KEY")))
	messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage("What is the weather in Paris?")}
	city     = map[string]any{
		"type":                 "object",
		"properties":           map[string]any{"city": map[string]any{"type": "string"}},
		"required":             []string{"city"},
		"additionalProperties": false,
	}
	checks = map[string]func(context.Context) error{
		"chat": chat, "stream": stream, "tools": tools, "structured": structured, "errors": errs,
	}
)

func main() {
	results, code := map[string]string{}, 0
	for name, check := range checks {
		results[name] = ""
		if err := check(context.Background()); err != nil {
			results[name], code = err.Error(), 1
		}
	}
	report := map[string]any{"versions": map[string]string{library: version()}, "checks": results}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		panic(err)
	}
	os.Exit(code)
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == library {
			return module.Version
		}
	}
	panic("built without " + library)
}

// hasCity fails unless a text is a JSON object with the member city alone.
func hasCity(text string) error {
	var object map[string]string
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	if _, found := object["city"]; !found || len(object) != 1 {
		return fmt.Errorf("not a city: %s", text)
	}
	return nil
}

func chat(ctx context.Context) error {
	completion, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: model, Messages: messages})
	if err != nil {
		return err
	}
	if completion.Choices[0].Message.Content == "" || completion.Usage.TotalTokens == 0 {
		return fmt.Errorf("no answer: %s", completion.RawJSON())
	}
	return nil
}

func stream(ctx context.Context) error {
	chunks := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model:         model,
		Messages:      messages,
		StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
	})
	total := openai.ChatCompletionAccumulator{}
	for chunks.Next() {
		total.AddChunk(chunks.Current())
	}
	if err := chunks.Err(); err != nil {
		return err
	}
	if total.Choices[0].Message.Content == "" || total.Usage.CompletionTokens == 0 {
		return fmt.Errorf("no answer: %v", total)
	}
	return nil
}

func tools(ctx context.Context) error {
	weather := shared.FunctionDefinitionParam{Name: "weather", Parameters: city}
	completion, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    model,
		Messages: messages,
		Tools:    []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(weather)},
	})
	if err != nil {
		return err
	}
	calls := completion.Choices[0].Message.ToolCalls
	if len(calls) != 1 || calls[0].Function.Name != "weather" {
		return fmt.Errorf("no call: %s", completion.RawJSON())
	}
	return hasCity(calls[0].Function.Arguments)
}

func structured(ctx context.Context) error {
	schema := shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "place", Schema: city, Strict: openai.Bool(true)}
	completion, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
		Model:    model,
		Messages: messages,
		ResponseFormat: openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{JSONSchema: schema},
		},
	})
	if err != nil {
		return err
	}
	return hasCity(completion.Choices[0].Message.Content)
}

func errs(ctx context.Context) error {
	_, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: "unknown", Messages: messages})
	var failure *openai.Error
	if !errors.As(err, &failure) {
		return fmt.Errorf("no openai.Error: %v", err)
	}
	if failure.StatusCode != 404 || failure.Code != "model_not_found" || !strings.Contains(failure.Message, "`llama`") {
		return fmt.Errorf("another error: %v", failure)
	}
	return nil
}
