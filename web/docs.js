// The API reference at /docs, from the server's own OpenAPI document.
SwaggerUIBundle({url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true});
