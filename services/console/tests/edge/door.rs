//! Who comes in: the token, the one-time link, the session, the hosts.

use crate::support::{Ask, CODE, Console, TOKEN};
use console::backend::Peer;

#[tokio::test]
async fn the_interface_is_closed_without_token_or_session() {
    let console = Console::start().await;
    for route in console::api::routes() {
        let path = format!("/api/v1{}", route.path.replace("{id}", "x"));
        for ask in [
            Ask::new(route.method.as_str(), &path),
            Ask::new(route.method.as_str(), &path).header("Authorization", "Bearer wrong"),
            Ask::new(route.method.as_str(), &path).header("Authorization", &format!("Basic {TOKEN}")),
            Ask::new(route.method.as_str(), &path).header("Cookie", "planwatch-session=x"),
        ] {
            let answered = console.send(ask).await;
            answered.problem(401);
            assert!(answered.header("www-authenticate").unwrap().starts_with("Bearer"), "{path}");
        }
    }
    for path in ["/", "/?lang=en"] {
        let answered = console.send(Ask::new("GET", path)).await;
        assert_eq!(answered.status, 303);
        assert!(answered.header("location").unwrap().starts_with("/sign-in"), "{path}");
    }
    console.send(Ask::new("GET", "/fragments/matrix")).await.problem(401);
    assert!(console.memory.asked.lock().unwrap().is_empty(), "nothing got through");
}

#[tokio::test]
async fn the_one_time_link_works_once() {
    let console = Console::start().await;
    let link = format!("/sign-in?code={CODE}");
    let wrong = "wrong-code-of-the-same-length!";
    assert_eq!(console.send(Ask::new("GET", &format!("/sign-in?code={wrong}"))).await.status, 403);
    let wrong = console.send(Ask::new("POST", "/sign-in").form(&format!("code={wrong}&lang=en"))).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (403, None));
    assert!(wrong.text().contains("This link has been used or is not right"), "{}", wrong.text());

    // A preview, a prefetch and a person who looks first: none of them uses it up or is let in.
    for method in ["HEAD", "GET", "GET"] {
        let looked = console.send(Ask::new(method, &link)).await;
        assert_eq!((looked.status, looked.header("set-cookie")), (200, None), "{method}");
        assert!(console.folder.path().join("sign-in.code").exists(), "{method}");
    }
    let page = console.send(Ask::new("GET", &format!("{link}&lang=en"))).await.text();
    assert_eq!(page.matches("<button").count(), 1, "{page}");
    assert!(page.contains("<form method=\"post\" action=\"/sign-in\""), "{page}");
    assert!(page.contains(&format!("name=\"code\" value=\"{CODE}\"")), "{page}");
    assert!(!page.contains("name=\"token\"") && page.contains("The link works once"), "{page}");

    let form = || Ask::new("POST", "/sign-in").form(&format!("code={CODE}"));
    let foreign = console.send(form().header("Sec-Fetch-Site", "cross-site")).await;
    assert_eq!((foreign.status, foreign.header("set-cookie")), (403, None), "the form of another site");
    let cookie = console.signed_in().await;
    assert!(!console.folder.path().join("sign-in.code").exists());
    assert_eq!(console.send(Ask::new("GET", &link)).await.status, 403);
    assert_eq!(console.send(form()).await.status, 403);

    console.memory.replies(Peer::Projection, "status", Ok(r#"{"ok":{}}"#));
    let ask = || Ask::new("GET", "/api/v1/status").header("Cookie", &cookie);
    assert_eq!(console.send(ask()).await.status, 200);
    let forged = format!("{}0", &cookie[..cookie.len() - 1]);
    let other = format!("{}1", &cookie[..cookie.len() - 1]);
    let changed = if forged == cookie { other } else { forged };
    console.send(Ask::new("GET", "/api/v1/status").header("Cookie", &changed)).await.problem(401);
}

#[tokio::test]
async fn a_session_acts_only_from_the_consoles_own_pages() {
    let console = Console::start().await;
    let cookie = console.signed_in().await;
    let ask = || Ask::new("POST", "/api/v1/reports").header("Cookie", &cookie).json("{}");
    let own = format!("http://{}", console.address);
    for foreign in [
        ask(),
        ask().header("Sec-Fetch-Site", "cross-site"),
        ask().header("Sec-Fetch-Site", "same-site"),
        ask().header("Origin", "http://evil.example"),
        ask().header("Origin", "null"),
        ask().header("Sec-Fetch-Site", "cross-site").header("Origin", &own),
    ] {
        console.send(foreign).await.problem(403);
    }
    // Ingestion is away, so what gets past the door is 503.
    console.send(ask().header("Sec-Fetch-Site", "same-origin")).await.problem(503);
    console.send(ask().header("Origin", &own)).await.problem(503);
}

#[tokio::test]
async fn the_token_signs_in_from_the_form_of_this_site_only() {
    let console = Console::start().await;
    let ask = |token: &str| Ask::new("POST", "/sign-in").form(&format!("token={token}&lang=en"));
    let page = console.send(Ask::new("GET", "/sign-in")).await;
    assert!(page.text().contains("<html lang=\"vi\">") && page.text().contains("name=\"token\""));
    let wrong = console.send(ask("wrong")).await;
    assert_eq!(wrong.status, 403);
    assert!(wrong.text().contains("The token is not right"), "{}", wrong.text());
    assert_eq!(console.send(ask(TOKEN).header("Sec-Fetch-Site", "cross-site")).await.status, 403);
    let right = console.send(ask(TOKEN).header("Sec-Fetch-Site", "same-origin")).await;
    assert_eq!((right.status, right.header("location")), (303, Some("/?lang=en")));
    let cookie = right.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let out = Ask::new("POST", "/sign-out").header("Cookie", &cookie).header("Sec-Fetch-Site", "same-origin");
    let out = console.send(out).await;
    assert_eq!(out.status, 303);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    console.send(Ask::new("POST", "/sign-in").json("{}")).await.problem(415);
    let large = Ask::new("POST", "/sign-in").form(&"x".repeat(5_000));
    console.send(large).await.problem(413);
}

#[tokio::test]
async fn the_cookie_is_for_https_only_where_a_proxy_on_this_machine_says_so() {
    let console = Console::start().await;
    let ask = |path: &str| Ask::new("POST", path).form(&format!("token={TOKEN}"));
    let secured = |cookie: Option<&str>| {
        let cookie = cookie.unwrap();
        assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
        cookie.ends_with("; Secure")
    };
    let plain = console.send(ask("/sign-in")).await;
    assert!(!secured(plain.header("set-cookie")));
    let forwarded = console.send(ask("/sign-in").header("X-Forwarded-Proto", "https")).await;
    assert!(secured(forwarded.header("set-cookie")));
    let cookie = forwarded.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let leave = ask("/sign-out").header("Cookie", &cookie).header("Sec-Fetch-Site", "same-origin");
    let left = console.send(leave.header("X-Forwarded-Proto", "https")).await;
    assert!(secured(left.header("set-cookie")));
}

#[tokio::test]
async fn only_the_names_of_loopback_are_answered() {
    let console = Console::start().await;
    for host in ["localhost", "localhost:1234", "127.0.0.1", "[::1]:8080"] {
        assert_eq!(
            console.send(Ask::new("GET", "/healthz").header("Host", host)).await.status,
            200,
            "{host}"
        );
    }
    for host in ["evil.example", "127.0.0.1.evil.example:8080", "localhost@evil.example"] {
        console.send(Ask::new("GET", "/healthz").header("Host", host)).await.problem(421);
        console
            .send(Ask::new("GET", &format!("/sign-in?code={CODE}")).header("Host", host))
            .await
            .problem(421);
    }
    let two = Ask::new("GET", "/healthz").header("Host", "localhost").header("Host", "localhost");
    console.send(two).await.problem(400);
    assert!(console.folder.path().join("sign-in.code").exists(), "the code was not used");
}
