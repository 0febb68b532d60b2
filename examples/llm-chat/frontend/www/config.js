window.API_URL = "";
