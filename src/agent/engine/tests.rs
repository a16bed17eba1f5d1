use super::*;
use crate::config::preset::Preset;

const VLLM: &str = r#"
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="tiny"} 3.0
vllm:num_requests_running{engine="1",model_name="tiny"} 2.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="tiny"} 4.0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0",model_name="tiny"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="tiny"} 0.75
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="tiny"} 10.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="tiny"} 10.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="tiny"} 2.0
# TYPE vllm:lora_requests_info gauge
vllm:lora_requests_info{max_lora="4",running_lora_adapters="b,a",waiting_lora_adapters="c"} 1.7e+09
"#;

fn engine(preset: Preset) -> Engine {
    let config = EngineConfig {
        metrics_url: "http://127.0.0.1:1/metrics".into(),
        timeout: Duration::from_secs(1),
        mapping: preset.mapping(),
        kv_events: None,
    };
    Engine::new(config).expect("a client")
}

fn read(engine: &mut Engine, page: &str) -> NodeLoad {
    let mut load = NodeLoad::default();
    engine.read(Page(page), &mut load);
    load
}

fn ratio(value: f64) -> Option<Ratio> {
    Ratio::try_new(value).ok()
}

#[test]
fn a_page_of_vllm_is_understood() {
    let load = read(&mut engine(Preset::Vllm), VLLM);
    assert_eq!((load.running, load.waiting, load.kv_cache), (Some(5), Some(4), ratio(0.75)));
    assert_eq!(load.adapters, ["a", "b"].map(|name| AdapterName::parse(name).expect("a name")));
    assert_eq!(load.first_token_latency, None, "there is nothing to compare with yet");
}

#[test]
fn a_page_of_an_older_vllm_is_understood() {
    let page = VLLM.replace("kv_cache_usage_perc", "gpu_cache_usage_perc");
    assert_eq!(read(&mut engine(Preset::Vllm), &page).kv_cache, ratio(0.75));
}

#[test]
fn a_page_of_llama_cpp_is_understood() {
    let page = "llamacpp:requests_processing 2\nllamacpp:requests_deferred 4\n";
    let load = read(&mut engine(Preset::LlamaCpp), page);
    assert_eq!((load.running, load.waiting, load.kv_cache), (Some(2), Some(4), None));
}

#[test]
fn first_token_latency_is_the_mean_since_the_last_look() {
    let page = |count: &str, sum: &str| {
        format!(
            "vllm:time_to_first_token_seconds_count {count}\nvllm:time_to_first_token_seconds_sum {sum}\n"
        )
    };
    let mut engine = engine(Preset::Vllm);
    let mut look = |count, sum| read(&mut engine, &page(count, sum)).first_token_latency;
    assert_eq!(look("10", "2.0"), None);
    assert_eq!(look("14", "3.0"), Some(Duration::from_millis(250)));
    assert_eq!(look("14", "3.0"), None, "nothing came");
    assert_eq!(look("1", "0.1"), None, "the server was restarted");
    assert_eq!(look("3", "0.3"), Some(Duration::from_millis(100)));
}

#[test]
fn an_absurd_value_costs_only_its_field() {
    for absurd in ["NaN", "-1", "1e12", "+Inf"] {
        let page = format!("llamacpp:requests_processing {absurd}\nllamacpp:requests_deferred 4\n");
        let load = read(&mut engine(Preset::LlamaCpp), &page);
        assert_eq!((load.running, load.waiting), (None, Some(4)), "of {absurd}");
    }
}

#[tokio::test]
async fn a_page_that_is_not_there_is_an_error() {
    let mut engine = engine(Preset::Vllm);
    assert!(engine.observe(&mut NodeLoad::default()).await.is_err());
}

#[test]
fn an_absurd_sample_is_not_left_out_of_a_sum() {
    for absurd in ["NaN", "-1", "+Inf"] {
        let page = format!("vllm:num_requests_running{{engine=\"0\"}} {absurd}\n{VLLM}");
        let load = read(&mut engine(Preset::Vllm), &page);
        assert_eq!((load.running, load.waiting), (None, Some(4)), "of {absurd}");
    }
}

#[test]
fn what_the_page_does_not_tell_is_noted_once_it_changes() {
    let mut engine = engine(Preset::LlamaCpp);
    let mut unknown = |page| {
        read(&mut engine, page);
        engine.unknown.clone()
    };
    assert_eq!(unknown("llamacpp:requests_processing NaN\n"), ["running", "waiting"]);
    assert_eq!(unknown("llamacpp:requests_processing 1\n"), ["waiting"]);
    assert!(unknown("llamacpp:requests_processing 1\nllamacpp:requests_deferred 0\n").is_empty());
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the page ends with the test's runtime")]
async fn a_page_without_end_is_not_read_to_its_end() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let page = axum::routing::get(|| async { "x 1\n".repeat(PAGE_BYTES_MAX / 4 + 1) });
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/", page)).await });
    let mut engine = engine(Preset::Vllm);
    engine.config.metrics_url = format!("http://{address}/");
    let read = engine.observe(&mut NodeLoad::default()).await;
    assert!(matches!(read, Err(EngineError::TooLarge)), "{read:?}");
}

#[test]
fn the_size_of_the_cache_is_read_from_labels_or_values() {
    let told = |preset: Preset, page: &str| {
        let mut load = NodeLoad::default();
        engine(preset).read(Page(page), &mut load);
        (load.kv_capacity, load.kv_active)
    };
    let vllm = "vllm:cache_config_info{block_size=\"16\",engine=\"0\",num_gpu_blocks=\"1000\"} 1\n\
                vllm:cache_config_info{block_size=\"16\",engine=\"1\",num_gpu_blocks=\"500\"} 1\n";
    assert_eq!(told(Preset::Vllm, vllm), (Some(24_000), None));
    let used = format!("{vllm}vllm:kv_cache_usage_perc 0.25\n");
    assert_eq!(told(Preset::Vllm, &used), (Some(24_000), Some(6000)));
    let odd = "vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"None\"} 1\n";
    assert_eq!(told(Preset::Vllm, odd), (None, None));
    let sglang = "sglang:max_total_num_tokens 9000\nsglang:token_usage 0.5\n";
    assert_eq!(told(Preset::Sglang, sglang), (Some(9000), Some(4500)));
    assert_eq!(told(Preset::Sglang, "sglang:token_usage 0.5\n"), (None, None));
    assert_eq!(told(Preset::LlamaCpp, sglang), (None, None));
}
