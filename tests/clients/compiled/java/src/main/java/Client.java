import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * OpenAI's own client for Java: calls the front door as the library's documentation does, prints one line of JSON, and
 * exits with 1 if a check failed.
 */
public final class Client {
    private static final String MODEL = "llama";
    private static final String PROMPT = "What is the weather in Paris?";
    private static final OpenAIClient CLIENT = OpenAIOkHttpClient.builder()
            .baseUrl(System.getenv("FRONT_DOOR_URL") + "/v1")
            .apiKey(System.getenv("FRONT_DOOR_KEY"))
            .build();

    /** A city, the type of an answer. */
    public static class City {
        public String name;
    }

    /** A function: the weather in a city. */
    public static class Weather {
        public String city;
    }

    private interface Check {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("chat", Client::chat);
        checks.put("stream", Client::stream);
        checks.put("tools", Client::tools);
        checks.put("structured", Client::structured);
        checks.put("errors", Client::errors);
        Map<String, String> results = new LinkedHashMap<>();
        for (Map.Entry<String, Check> check : checks.entrySet()) {
            String outcome = "";
            try {
                check.getValue().run();
            } catch (Exception | AssertionError error) {
                outcome = String.valueOf(error);
            }
            results.put(check.getKey(), outcome);
        }
        Map<String, String> versions = Map.of("com.openai:openai-java", version());
        String report = new ObjectMapper().writeValueAsString(Map.of("versions", versions, "checks", results));
        // On a line of its own: Maven has begun one with an escape sequence.
        System.out.println("\n" + report);
        System.exit(results.values().stream().allMatch(String::isEmpty) ? 0 : 1);
    }

    /** The version in the name of the library's file. */
    private static String version() {
        String file = OpenAIClient.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        return file.replaceAll(".*openai-java-core-(.*)\\.jar", "$1");
    }

    private static ChatCompletionCreateParams.Builder request() {
        return ChatCompletionCreateParams.builder().model(MODEL).addUserMessage(PROMPT);
    }

    private static void expect(boolean condition, Object message) {
        if (!condition) {
            throw new AssertionError(message);
        }
    }

    private static void chat() {
        var completion = CLIENT.chat().completions().create(request().build());
        expect(!completion.choices().get(0).message().content().orElseThrow().isEmpty(), completion);
        expect(completion.usage().orElseThrow().totalTokens() > 0, completion);
    }

    private static void stream() {
        var options = ChatCompletionStreamOptions.builder().includeUsage(true).build();
        var total = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> chunks =
                CLIENT.chat().completions().createStreaming(request().streamOptions(options).build())) {
            chunks.stream().forEach(total::accumulate);
        }
        var completion = total.chatCompletion();
        expect(!completion.choices().get(0).message().content().orElseThrow().isEmpty(), completion);
        expect(completion.usage().orElseThrow().completionTokens() > 0, completion);
    }

    private static void tools() {
        var completion = CLIENT.chat().completions().create(request().addTool(Weather.class).build());
        var calls = completion.choices().get(0).message().toolCalls().orElseThrow();
        expect(calls.size() == 1, completion);
        expect(calls.get(0).asFunction().function().arguments(Weather.class).city != null, completion);
    }

    private static void structured() {
        var completion = CLIENT.chat().completions().create(request().responseFormat(City.class).build());
        expect(completion.choices().get(0).message().content().orElseThrow().name != null, completion);
    }

    private static void errors() {
        try {
            CLIENT.chat().completions().create(request().model("unknown").build());
        } catch (NotFoundException error) {
            expect(error.code().orElseThrow().equals("model_not_found"), error);
            expect(error.getMessage().contains("`llama`"), error);
            return;
        }
        throw new AssertionError("nothing was thrown");
    }
}
