use super::*;
use crate::domain::prefix::BlockKey;

#[test]
fn for_another_model_nothing_is_known_of_how_the_prompt_begins() {
    let [large, small] = ["large", "small"].map(|name| ModelName::parse(name).expect("a name"));
    let tenant = TenantId::parse("a").expect("a name");
    let key = RequestKey { tenant, request: RequestId::parse("r").expect("a name") };
    let request = RouteRequest {
        prefix: vec![BlockKey::new(1)],
        prompt_tokens: Some(300),
        ..RouteRequest::of(key.clone(), RequestType::Text, large)
    };
    let expected =
        RouteRequest { prompt_tokens: Some(300), ..RouteRequest::of(key, RequestType::Text, small.clone()) };
    assert_eq!(request.with_model(small), expected);
}
