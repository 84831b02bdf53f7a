"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  displayRequestDuration: true,
  // Swagger's own service would be asked to check the document: nothing is asked but this server.
  validatorUrl: null,
});
